//! Small networks with known differences.
