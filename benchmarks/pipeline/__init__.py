"""A pipeline of hubs in processes of their own, over a broker: one matcher, four workers, three senders."""
