//! Checks from where morpheus runs: whether a port of the guest takes connections.

use crate::domain::{guest::Health, probe::Answer};
use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// Guests are near; who needs longer than this doesn't answer.
const DEADLINE: Duration = Duration::from_secs(1);

/// Tries to connect. Without an address, or over UDP, nothing can be said.
pub(crate) async fn connect(address: Option<IpAddr>, port: u16, udp: bool) -> Answer {
    let answer = |health, detail: &str| Answer { health, detail: Some(detail.to_owned()) };
    let address = match address {
        Some(address) if !udp => SocketAddr::new(address, port),
        Some(_) => return answer(Health::Unknown, "UDP can't be seen from outside"),
        None => return answer(Health::Unknown, "no address"),
    };
    match timeout(DEADLINE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => answer(Health::Up, "connected"),
        Ok(Err(why)) if why.kind() == ErrorKind::ConnectionRefused => answer(Health::Down, "connection refused"),
        Ok(Err(why)) => answer(Health::Unknown, &why.to_string()),
        Err(_) => answer(Health::Down, "no answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_port_is_open_closed_or_out_of_sight() {
        let loopback = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(connect(loopback, port, false).await.health, Health::Up);
        drop(listener);
        assert_eq!(connect(loopback, port, false).await.health, Health::Down);
        assert_eq!(connect(loopback, port, true).await.health, Health::Unknown);
        assert_eq!(connect(None, port, false).await.health, Health::Unknown);
    }
}
