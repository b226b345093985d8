//! The SOCKS5 side of the proxy: greeting, user and password (RFC 1929), CONNECT by address or name (RFC 1928).
//!
//! Called by `proxy` for each connection. It deliberately knows neither BIND nor UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Credentials, Ended, connect, tunnel};

const VERSION: u8 = 5;
const NO_AUTH: u8 = 0;
const USER_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xFF;

const SUCCEEDED: u8 = 0;
const NOT_ALLOWED: u8 = 2;
const CONNECTION_REFUSED: u8 = 5;
const COMMAND_NOT_SUPPORTED: u8 = 7;
const ADDRESS_NOT_SUPPORTED: u8 = 8;

pub(super) async fn serve(mut client: TcpStream, credentials: &Credentials, tunnels: &AtomicU64) -> io::Result<Ended> {
    if client.read_u8().await? != VERSION {
        return Ok(Ended::Refused);
    }
    let methods = counted(&mut client).await?;
    let wanted = if credentials.is_some() { USER_PASSWORD } else { NO_AUTH };
    if !methods.contains(&wanted) {
        client.write_all(&[VERSION, NONE_ACCEPTABLE]).await?;
        return Ok(Ended::Unauthorized);
    }
    client.write_all(&[VERSION, wanted]).await?;
    if let Some((user, password)) = credentials {
        let _version = client.read_u8().await?;
        let given = (counted(&mut client).await?, counted(&mut client).await?);
        let right = given.0 == user.as_bytes() && given.1 == password.as_bytes();
        client.write_all(&[1, u8::from(!right)]).await?;
        if !right {
            return Ok(Ended::Unauthorized);
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => String::from_utf8_lossy(&counted(&mut client).await?).into_owned(),
        4 => Ipv6Addr::from(client.read_u128().await?).to_string(),
        _ => return answer(client, ADDRESS_NOT_SUPPORTED).await,
    };
    let port = client.read_u16().await?;
    if request[1] != 1 {
        return answer(client, COMMAND_NOT_SUPPORTED).await;
    }
    match connect(&host, port).await {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => answer(client, NOT_ALLOWED).await,
        Err(_) => answer(client, CONNECTION_REFUSED).await,
        Ok(upstream) => {
            tunnels.fetch_add(1, Ordering::Relaxed);
            client.write_all(&reply(SUCCEEDED)).await?;
            Ok(tunnel(client, upstream, 0).await)
        }
    }
}

async fn answer(mut client: TcpStream, code: u8) -> io::Result<Ended> {
    client.write_all(&reply(code)).await?;
    Ok(Ended::Refused)
}

/// The bound address is of no use to a client that asked for CONNECT: zeros.
fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

/// A byte that says how many bytes follow, and these.
async fn counted(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
