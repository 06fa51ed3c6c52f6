//! Opening a graphics processor.

use super::check;
use cubecl::device::WgpuDeviceKind;
use cubecl::prelude::Client;
use cubecl::wgpu::wgpu;
use std::fmt;
use std::sync::OnceLock;

/// What a device calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Name of the device.
    pub name: String,
    /// Interface through which it is reached: `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Driver and its version, as far as it tells.
    pub driver: String,
    /// Whether it is a program that runs on the CPU.
    pub software: bool,
}

impl Adapter {
    fn new(info: &wgpu::AdapterInfo) -> Self {
        let driver = [info.driver.trim(), info.driver_info.trim()];
        let driver: Vec<_> = driver.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            name: info.name.trim().to_owned(),
            backend: info.backend.to_str().to_owned(),
            driver: driver.join(" "),
            software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.name, self.backend)?;
        if !self.driver.is_empty() {
            write!(f, ", driver {}", self.driver)?;
        }
        f.write_str(if self.software { ", software)" } else { ")" })
    }
}

/// Why no device was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// There is none, or none that can be opened.
    Unavailable {
        /// What the library says.
        message: String,
        /// Devices that were found all the same.
        found: Vec<Adapter>,
    },
    /// The device that the system prefers is a program on the CPU, and hardware was asked for.
    Software(Adapter),
    /// A device computes wrongly, or fails.
    Wrong {
        /// The device.
        adapter: Adapter,
        /// What it computed wrongly.
        what: String,
    },
}

/// A device that passed its check.
#[derive(Clone)]
pub struct Gpu {
    adapter: Adapter,
    client: Client,
    tensors: burn::tensor::Device,
    rounds: Option<String>,
}

/// Turns of loops in one invocation, counted at their heads, after which Mesa's software rasterizers leave a loop
/// without a word; a little less, for what is around the loops.
const SOFTWARE_TURNS: u64 = 60_000;

/// Turns of one invocation on hardware. There is no such limit, but a launch should end soon: systems reset
/// devices that do not answer for some seconds.
const HARDWARE_TURNS: u64 = 1 << 20;

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gpu").field(&self.adapter).finish()
    }
}

impl Gpu {
    /// Opens the device that the system prefers, checks it, and keeps it for the whole process.
    ///
    /// # Errors
    /// [`OpenError`], the same at every call.
    pub fn open() -> Result<&'static Self, OpenError> {
        static CHECKED: OnceLock<Result<Gpu, OpenError>> = OnceLock::new();
        let checked = CHECKED.get_or_init(|| Self::found().and_then(Self::checked));
        checked.as_ref().map_err(Clone::clone)
    }

    /// As [`Gpu::open`], but not a device in software, which is not even checked.
    ///
    /// # Errors
    /// As [`Gpu::open`], and [`OpenError::Software`].
    pub fn open_hardware() -> Result<&'static Self, OpenError> {
        let found = Self::found()?;
        if found.adapter.software {
            return Err(OpenError::Software(found.adapter.clone()));
        }
        Self::open()
    }

    /// The device, not checked yet.
    fn found() -> Result<&'static Self, OpenError> {
        static FOUND: OnceLock<Result<Gpu, OpenError>> = OnceLock::new();
        FOUND.get_or_init(Self::acquire).as_ref().map_err(Clone::clone)
    }

    fn acquire() -> Result<Self, OpenError> {
        let none = |message: String| OpenError::Unavailable { message, found: adapters() };
        // Of all ways to a device, only this one returns errors; the others panic on first use.
        let (tensors, setup) = burn::tensor::Device::wgpu_options()
            .init_with_setup()
            .map_err(|e| none(e.to_string()))?;
        let adapter = Adapter::new(&setup.adapter.get_info());
        // The same device: it is registered under the name of the default.
        let device = cubecl::Device::wgpu(WgpuDeviceKind::DefaultDevice);
        let client = device.map_err(|e| none(e.to_string()))?.client();
        Ok(Self { adapter, client, tensors, rounds: None })
    }

    /// The device, if it computes rightly.
    fn checked(&self) -> Result<Self, OpenError> {
        let wrong = |what| OpenError::Wrong { adapter: self.adapter.clone(), what };
        check::integers(self).map_err(wrong)?;
        Ok(Self { rounds: check::floats(self).map_err(wrong)?, ..self.clone() })
    }

    /// What the device calls itself.
    pub const fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The device, for [`crate::tensor`].
    pub const fn tensors(&self) -> &burn::tensor::Device {
        &self.tensors
    }

    /// What the device rounds otherwise than IEEE 754 says, if it does: then float networks may differ from the
    /// definition.
    pub fn rounds(&self) -> Option<&str> {
        self.rounds.as_deref()
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Bytes that one buffer may have.
    pub(super) fn largest_buffer(&self) -> u64 {
        self.client.properties().memory.max_page_size
    }

    /// Turns of loops that one invocation should take in one launch.
    pub(super) const fn turns(&self) -> u64 {
        if self.adapter.software { SOFTWARE_TURNS } else { HARDWARE_TURNS }
    }
}

/// All devices that can be found, whether or not they can be opened.
pub fn adapters() -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found = cubecl::future::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    found.iter().map(|adapter| Adapter::new(&adapter.get_info())).collect()
}
