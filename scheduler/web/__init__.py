"""The web side: pages, webhooks, links in e-mails, health and metrics."""
