"""What the NDR feature pipeline means: data and pure functions, with neither engine nor cloud SDK."""
