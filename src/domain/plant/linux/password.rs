//! Passwords as Linux keeps them.

use crate::domain::ids::OpId;
use secrecy::{ExposeSecret, SecretString};
use sha_crypt::{Sha512Params, sha512_crypt_b64};
use sha2::{Digest, Sha256};

/// Rounds of the hash; four times what is usual.
const ROUNDS: usize = 20_000;

/// A password's hash for `/etc/shadow` (SHA-512, `$6$`): a seed lies on a storage of the host for a while. The salt
/// comes from the planting's id, which is another one each time. None if it can't be made.
pub(super) fn hash(password: &SecretString, plant: &OpId) -> Option<String> {
    const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(plant.as_str());
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 64)).map(|letter| char::from(*letter));
    let salt: String = digest.iter().take(16).filter_map(letter).collect();
    let params = Sha512Params::new(ROUNDS).ok()?;
    let hash = sha512_crypt_b64(password.expose_secret().as_bytes(), salt.as_bytes(), &params).ok()?;
    Some(format!("$6$rounds={ROUNDS}${salt}${hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As glibc's `crypt` says.
    #[test]
    fn a_hash_is_the_one_that_others_make() {
        let hash = hash(&"correct horse".into(), &OpId::from("20260801-120000-abcd")).expect("a hash");
        assert_eq!(
            hash,
            "$6$rounds=20000$AKRjn/MNQ./upHwS$\
             tvjZj8iE5PbNgnwd49Xmiv52qTmluPgUKxyzx5xeDuXj.yemrM2HDASqp2Bd4NJNSXi245C6BaZo0069mGCn20"
        );
    }
}
