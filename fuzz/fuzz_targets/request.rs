#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| greenlight_testkit::fuzz::request::check(data));
