"""What all builders of features share: what they read, what of it is published, when rows are out of date."""
