//! Buffers on a device.

use cubecl::prelude::{BufferArg, Client, CubeElement, TensorBinding};
use cubecl::server::Handle;
use cubecl::zspace::Tiling;

/// Words on a device: u32 or i32.
pub(super) struct Buffer {
    handle: Handle,
    words: usize,
}

/// Bytes of a word.
pub(super) const WORD: u64 = 4;

impl Buffer {
    /// Copies words to the device. There is always one word, as no buffer can be empty.
    pub(super) fn new<T: CubeElement + Default>(client: &Client, mut words: Vec<T>) -> Self {
        if words.is_empty() {
            words.push(T::default());
        }
        Self { handle: client.create_from_slice(T::as_bytes(&words)), words: words.len() }
    }

    /// The buffer as a kernel takes it.
    pub(super) fn arg(&self) -> BufferArg {
        let binding = TensorBinding {
            handle: self.handle.clone().binding(),
            strides: [1].into(),
            shape: [self.words].into(),
            tiling: Tiling::UNTILED,
        };
        binding.into_buffer_arg()
    }

    /// The buffer, to be read.
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}
