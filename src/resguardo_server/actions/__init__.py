"""What a member can ask for: one function, one transaction, beginning with who asks."""
