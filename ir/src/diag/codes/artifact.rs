//! Emission and artifacts (06xx).

use super::codes;

codes! {
}
