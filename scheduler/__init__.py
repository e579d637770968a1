"""Bonewise: reminders and screening follow-up for people with MS at risk of osteoporosis."""

__version__ = "0.1.0"
