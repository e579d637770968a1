"""Lists of patients that are sent to the clinic's pages, looked at, and imported while somebody waits."""
