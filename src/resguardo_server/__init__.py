"""The service of Resguardo: tables, what a member can ask for, pages, and the command line."""
