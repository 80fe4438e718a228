"""Clusters: announcements of hubs to each other, and the view that each hub has of the others."""
