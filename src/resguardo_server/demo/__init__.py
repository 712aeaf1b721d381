"""The invented region of `resguardo demo`: invented people and institutions, brought in as a user would."""
