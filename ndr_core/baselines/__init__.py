"""The fourth builder (FG-B): what is usual for a host, its segment and the network, in each part of the week."""
