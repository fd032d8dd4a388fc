//! A line between the program and the host: a test sees what goes over it, and can slow it down, hold it or cut it. What
//! goes over it is encrypted; only its amount is known.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Most bytes of one piece.
const PIECE: usize = 16 << 10;

/// Where a piece goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// To the host.
    Up,
    /// From it.
    Down,
}

/// A piece of what goes over a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) way: Way,
    /// Its length, bytes.
    pub(crate) bytes: usize,
    /// What went that way over its connection before it, bytes.
    pub(crate) before: usize,
}

/// What becomes of a piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It goes on.
    Passes,
    /// It is lost, and the connection with it.
    Cut,
}

type Judge = dyn Fn(Piece) -> Fate + Send + Sync;

/// The line; it takes no more connections once this is dropped.
pub(crate) struct Wire {
    pub(crate) addr: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Wire {
    /// A line to a host. Each piece goes on when `judge` has come back, which may take its time.
    pub(crate) fn new(host: SocketAddr, judge: impl Fn(Piece) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, over) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let (judge, ends): (Arc<Judge>, _) = (Arc::new(judge), over.clone());
        thread::spawn(move || {
            for near in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(host)) else { continue };
                for (way, from, to) in [(Way::Up, &near, &far), (Way::Down, &far, &near)] {
                    let (from, to, judge) = (from.try_clone().unwrap(), to.try_clone().unwrap(), judge.clone());
                    thread::spawn(move || carry(way, &from, &to, judge.as_ref()));
                }
            }
        });
        Self { addr, over }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.addr);
    }
}

fn carry(way: Way, mut from: &TcpStream, mut to: &TcpStream, judge: &Judge) {
    let _ = to.set_nodelay(true);
    let (mut piece, mut before) = (vec![0; PIECE], 0);
    while let Ok(bytes @ 1..) = from.read(&mut piece) {
        if judge(Piece { way, bytes, before }) == Fate::Cut {
            break;
        }
        before += bytes;
        if to.write_all(piece.get(..bytes).unwrap()).is_err() {
            break;
        }
    }
    for end in [from, to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}
