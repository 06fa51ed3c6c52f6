#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    snnc::trust::readers::check("netx", data);
});
