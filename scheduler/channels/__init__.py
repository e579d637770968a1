"""Ways to reach a patient: one folder per provider. `docs/adding-a-channel.md` says how to add one."""
