"""AWS: clients, how long and how often they try, and their failures in words a user can act on."""
