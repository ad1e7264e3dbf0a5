"""What leaves the portal on paper: contracts with their seal, delivery notes and releases as PDF; and whether a copy
that comes back is still what left."""
