#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_is_logged_with_the_tasks_name_and_told_to_who_waits() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let ended = super::spawn("keeper", async { panic!("out of {}", "paper") }).await;
    assert!(ended.unwrap_err().is_panic());
    assert_eq!(super::spawn("adder", async { 1 + 1 }).await.unwrap(), 2);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("task=\"keeper\"") && log.contains("out of paper"), "{log}");
    assert!(!log.contains("adder"), "{log}");
}
