//! As much of a NATS client as the tests need (docs.nats.io, "NATS Protocol").

use std::{collections::VecDeque, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{sleep, timeout},
};

const PAUSE: Duration = Duration::from_millis(100);
/// For an answer: one that doesn't come by then doesn't come.
const ANSWER: Duration = Duration::from_secs(5);

pub(crate) struct Client {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    asked: u64,
    heard: VecDeque<(String, String)>,
}

impl Client {
    /// Connects as soon as there is a server.
    pub(crate) async fn connect(port: u16) -> Self {
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(stream) => break stream,
                Err(_) => sleep(PAUSE).await,
            }
        };
        let (read, write) = stream.into_split();
        let mut client = Self { read: BufReader::new(read), write, asked: 0, heard: VecDeque::new() };
        let hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";
        client.send(hello).await.unwrap();
        client.subscribe("_INBOX.me.*").await;
        client
    }

    async fn send(&mut self, text: &str) -> Option<()> {
        self.write.write_all(text.as_bytes()).await.ok()
    }

    pub(crate) async fn subscribe(&mut self, subject: &str) {
        self.send(&format!("SUB {subject} 1\r\nPING\r\n")).await.unwrap();
        while self.line().await.unwrap() != "PONG" {}
    }

    /// The next line that isn't about the connection itself; none when the connection has ended.
    async fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.read.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.first().copied() {
                Some("PING") => self.send("PONG\r\n").await?,
                Some("MSG" | "HMSG") => {
                    let size: usize = words.last()?.parse().ok()?;
                    let mut body = vec![0; size + 2];
                    self.read.read_exact(&mut body).await.ok()?;
                    body.truncate(size);
                    let subject = (*words.get(1)?).to_owned();
                    self.heard.push_back((subject, String::from_utf8_lossy(&body).into_owned()));
                    return Some(String::new());
                }
                Some("INFO" | "+OK") => {}
                _ => return Some(line.trim().to_owned()),
            }
        }
    }

    /// The next message; none when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, String)> {
        while self.heard.is_empty() {
            self.line().await?;
        }
        self.heard.pop_front()
    }

    /// Publishes and waits for the answer; none when there is none any more.
    pub(crate) async fn ask(&mut self, subject: &str, body: &str) -> Option<String> {
        self.asked += 1;
        let inbox = format!("_INBOX.me.{}", self.asked);
        self.send(&format!("PUB {subject} {inbox} {}\r\n{body}\r\n", body.len())).await?;
        loop {
            let (to, answer) = timeout(ANSWER, self.next()).await.ok()??;
            if to == inbox {
                return Some(answer);
            }
        }
    }
}

/// The place in its stream that an acknowledgement names.
pub(crate) fn seq(ack: &str) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_str(ack).ok()?;
    value.get("error").is_none().then(|| value.get("seq")?.as_u64())?
}

pub(crate) fn base64(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// Waits until a leaf has joined its hub, as its own monitoring tells.
pub(crate) async fn joined(monitor: u16) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", monitor)).await {
            let request = "GET /leafz HTTP/1.0\r\nHost: localhost\r\n\r\n";
            let mut answer = String::new();
            if stream.write_all(request.as_bytes()).await.is_ok()
                && stream.read_to_string(&mut answer).await.is_ok()
                && answer.contains("\"leafnodes\": 1")
            {
                return;
            }
        }
        sleep(PAUSE).await;
    }
}
