//! A log whose lines are kept, for tests.
use detectviz_core::{
    task::Tasks,
    telemetry::logs::{Logs, LogsConfig, Output},
};
use serde_json::Value;
use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What was written, by a thread of the logs.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

/// A log of the service `shop`.
pub(crate) struct Captured {
    pub(crate) logs: Logs,
    written: Written,
    tasks: Tasks,
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    pub(crate) fn new(config: &LogsConfig) -> Self {
        let (written, tasks) = (Written::default(), Tasks::new());
        let output = Output::new(written.clone());
        let logs = config.build("shop", output, &tasks).unwrap();
        Self {
            logs,
            written,
            tasks,
        }
    }

    /// The lines since this was asked before.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert!(self.logs.flush(Duration::from_secs(10)));
        let written = mem::take(&mut *self.written.0.lock().unwrap());
        let text = String::from_utf8(written).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}
