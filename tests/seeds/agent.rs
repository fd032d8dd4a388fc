//! The protocol of QEMU's guest agent, over its real channel.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

/// The host's end of a guest's channel.
pub(crate) struct Agent {
    stream: UnixStream,
    buffer: Vec<u8>,
    sync: u64,
}

impl Agent {
    pub(crate) fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self { stream, buffer: Vec::new(), sync: 1_000 }
    }

    /// The next line; none within five seconds.
    fn line(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                match serde_json::from_slice(&line) {
                    Ok(value) => return Some(value),
                    Err(_) => continue,
                }
            }
            let mut part = [0; 4096];
            match self.stream.read(&mut part) {
                Ok(0) => panic!("the guest is gone"),
                Ok(length) => self.buffer.extend(&part[..length]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Lets five seconds pass, in which the guest says nothing of its own accord.
    pub(crate) fn wait(&mut self) {
        while self.line().is_some() {}
    }

    fn send(&mut self, command: &str, arguments: &Value) {
        let mut line = json!({ "execute": command, "arguments": arguments }).to_string();
        line.push('\n');
        self.stream.write_all(line.as_bytes()).unwrap();
    }

    /// An answer, or the guest's own words why not; none from a guest that is silent.
    pub(crate) fn ask(&mut self, command: &str, arguments: &Value) -> Option<Result<Value, String>> {
        self.sync += 1;
        let id = self.sync;
        self.send("guest-sync", &json!({ "id": id }));
        while self.line()? != json!({ "return": id }) {}
        self.send(command, arguments);
        for _ in 0..24 {
            let Some(mut answer) = self.line() else { continue };
            return Some(match answer.get("error") {
                Some(error) => Err(error["desc"].as_str().unwrap_or_default().to_owned()),
                None => Ok(answer["return"].take()),
            });
        }
        None
    }

    /// A file's text; none if it isn't there or the guest is silent.
    pub(crate) fn read(&mut self, path: &str) -> Option<String> {
        let handle = self.ask("guest-file-open", &json!({ "path": path, "mode": "r" }))?.ok()?;
        let read = self.ask("guest-file-read", &json!({ "handle": handle, "count": 60_000 }))?.ok()?;
        self.ask("guest-file-close", &json!({ "handle": handle }))?.ok()?;
        String::from_utf8(STANDARD.decode(read["buf-b64"].as_str()?).ok()?).ok()
    }

    /// Writes a file.
    pub(crate) fn write(&mut self, path: &str, text: &str) {
        let mut ask = |command: &str, arguments: serde_json::Value| self.ask(command, &arguments).unwrap().unwrap();
        let handle = ask("guest-file-open", json!({ "path": path, "mode": "w" }));
        ask("guest-file-write", json!({ "handle": handle, "buf-b64": STANDARD.encode(text) }));
        ask("guest-file-close", json!({ "handle": handle }));
    }

    /// What a command of a shell in the guest says; both streams.
    pub(crate) fn shell(&mut self, script: &str) -> (i64, String) {
        let arguments =
            json!({ "path": "/bin/sh", "arg": ["-c", format!("{{ {script}; }} 2>&1")], "capture-output": true });
        let pid = self.ask("guest-exec", &arguments).unwrap().unwrap()["pid"].take();
        for round in 0..100 {
            let Some(status) = self.ask("guest-exec-status", &json!({ "pid": pid })) else { continue };
            let status = status.unwrap();
            if status["exited"] == json!(true) {
                let said = STANDARD.decode(status["out-data"].as_str().unwrap_or_default()).unwrap();
                return (status["exitcode"].as_i64().unwrap(), String::from_utf8(said).unwrap());
            }
            if round > 40 {
                self.wait();
            }
        }
        panic!("'{script}' doesn't end");
    }
}
