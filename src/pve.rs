//! Proxmox VE over HTTPS, as it really answers: tolerant of its types, exact about its errors.

pub mod transport;
