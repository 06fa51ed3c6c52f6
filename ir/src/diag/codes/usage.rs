//! Command line and stimuli (08xx).

use super::codes;

codes! {
}
