"""SAEHD: the full model, with every architecture and finishing tool."""
