//! Networks of peers.
use std::{error, fmt, net::IpAddr, str::FromStr};

/// A network of addresses, such as `10.0.0.0/8` or `fd00::/8`; a lone address is a network of one.
///
/// Addresses of IPv4 that come mapped into IPv6 (`::ffff:10.0.0.1`) count as what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Those of IPv4 are mapped.
    first: u128,
    mask: u128,
    is_v4: bool,
}

/// A text that is not a [`Network`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNetwork {
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Address,
    Prefix,
    /// The network that was meant.
    Host(Network),
}

/// Bits before a mapped address of IPv4.
const MAPPED: u32 = 96;

// === impl Network ===

impl Network {
    /// Whether `address` belongs to it.
    #[must_use]
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.first
    }

    fn new(address: IpAddr, prefix: u32) -> Self {
        let is_v4 = address.to_canonical().is_ipv4();
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        Self {
            first: bits(address) & mask,
            mask,
            is_v4,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = |why| InvalidNetwork { why };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid(Why::Address))?;
        let before = if address.is_ipv4() { MAPPED } else { 0 };
        let most = 128 - before;
        let prefix = match prefix {
            None => most,
            // A sign or a leading zero is somebody's mistake.
            Some(text) if text == "0" || !text.starts_with(['0', '+']) => {
                text.parse().map_err(|_| invalid(Why::Prefix))?
            }
            Some(_) => return Err(invalid(Why::Prefix)),
        };
        if prefix > most {
            return Err(invalid(Why::Prefix));
        }
        let network = Self::new(address, before + prefix);
        if network.first != bits(address) {
            return Err(invalid(Why::Host(network)));
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = IpAddr::from(self.first.to_be_bytes());
        let prefix = self.mask.leading_ones();
        if self.is_v4 && prefix >= MAPPED {
            write!(f, "{}/{}", address.to_canonical(), prefix - MAPPED)
        } else {
            write!(f, "{address}/{prefix}")
        }
    }
}

// === impl InvalidNetwork ===

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Address => f.write_str("not a network; write one such as `10.0.0.0/8`"),
            Why::Prefix => f.write_str(
                "not the length of a prefix; write 0 to 32 behind an address of IPv4, 0 to 128 behind one of IPv6",
            ),
            Why::Host(network) => write!(f, "names a host within a network; write `{network}`"),
        }
    }
}

impl error::Error for InvalidNetwork {}

#[inline]
fn bits(address: IpAddr) -> u128 {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    u128::from_be_bytes(address.octets())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_in_the_networks_that_share_its_prefix() {
        for (network, inside, outside) in [
            (
                "10.0.0.0/8",
                "10.255.0.1 ::ffff:10.1.2.3",
                "11.0.0.0 ::a00:1",
            ),
            ("10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.2 10.1.2.4"),
            ("0.0.0.0/0", "1.2.3.4 255.255.255.255", "::1 fd00::1"),
            ("::/0", "::1 1.2.3.4", ""),
            ("fd00::/8", "fd12::1", "fe80::1 10.0.0.1"),
            ("::1", "::1", "::2 127.0.0.1"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
        ] {
            let parsed: Network = network.parse().unwrap();
            for (addresses, expected) in [(inside, true), (outside, false)] {
                for address in addresses.split_whitespace() {
                    let contains = parsed.contains(address.parse().unwrap());
                    assert_eq!(contains, expected, "{address} in {network}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_network_is_said_with_a_remedy() {
        for (text, remedy) in [
            ("", "such as `10.0.0.0/8`"),
            ("10.0.0/8", "such as `10.0.0.0/8`"),
            ("all", "such as `10.0.0.0/8`"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.0/", "0 to 32"),
            ("10.0.0.0/+8", "0 to 32"),
            ("10.0.0.0/08", "0 to 32"),
            ("::/129", "0 to 128"),
            ("10.1.2.3/8", "write `10.0.0.0/8`"),
            ("fd00::1/8", "write `fd00::/8`"),
        ] {
            let said = text.parse::<Network>().unwrap_err().to_string();
            assert!(said.contains(remedy), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn a_network_is_read_as_it_is_written(address: u128, prefix in 0_u32..=128, v4: bool) {
            let address = if v4 {
                IpAddr::from((address as u32).to_be_bytes())
            } else {
                IpAddr::from(address.to_be_bytes())
            };
            let prefix = if v4 { MAPPED + prefix % 33 } else { prefix };
            let network = Network::new(address, prefix);
            prop_assert!(network.contains(address));
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
        }
    }
}
