"""The rules that look at time and hardware."""
