"""What is ready for an update and what is not: looks side by side, and what they show on one screen."""
