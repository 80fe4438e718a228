"""What can be asked of a running hub: the verbs, what they steer, and the socket that they are reached by."""
