//! Tiles against a recount over neurons.
