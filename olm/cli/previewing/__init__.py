"""The pages of ``olm preview``: what they show, and the server that hands them out."""
