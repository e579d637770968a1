"""Intake: CSV files and FHIR exports, made into validated patient drafts. Nothing here touches a database."""
