"""What is wrong with a table, and which steps mend it."""
