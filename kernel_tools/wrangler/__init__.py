"""Data Wrangler: tables, recipes of steps on them, and what is wrong with the data."""
