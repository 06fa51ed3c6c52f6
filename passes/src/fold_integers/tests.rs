//! What each fold does to small networks, and where it must not act.
