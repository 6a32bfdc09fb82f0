"""What people say of the software that trains: its name, its release, and how it runs a step."""
