package org.authservice.ratelimit;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.authservice.http.ClientAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells who sent a request. Forwarding headers are anybody's text: they are believed only from
 * trusted proxies, and of the chain of hops the right-most one that is no trusted proxy counts.
 * Most proxies write one of the two headers and pass the other on as the client sent it: when both
 * are there and disagree, neither is believed, and the proxy itself is the client.
 */
public final class ClientAddresses implements ClientAddress {
  private static final Logger log = LoggerFactory.getLogger(ClientAddresses.class);
  private static final int MAX_HOPS = 32;

  private final List<IPAddress> trusted = new ArrayList<>();
  private final AtomicBoolean warned = new AtomicBoolean();
  private final AtomicBoolean warnedOfTwo = new AtomicBoolean();

  /** Believes proxies of these networks, such as {@code 10.0.0.0/8}. */
  public ClientAddresses(List<String> trustedProxies) {
    for (String network : trustedProxies) {
      trusted.add(HostAddress.unmapped(new IPAddressString(network).getAddress()));
    }
  }

  @Override
  public String of(String peer, Map<String, String> headers) {
    boolean direct = !headers.containsKey("forwarded") && !headers.containsKey("x-forwarded-for");
    if (direct && peer.indexOf(':') < 0) {
      return peer; // an IPv4 address as the socket spells it, which is its canonical form
    }
    Optional<IPAddress> sender = HostAddress.parse(peer);
    if (sender.isEmpty()) {
      return peer;
    }
    Optional<List<String>> forwarded =
        Optional.ofNullable(headers.get("forwarded"))
            .map(value -> ForwardedHeader.hops(value).orElse(List.of("")));
    Optional<List<String>> appended =
        Optional.ofNullable(headers.get("x-forwarded-for"))
            .map(value -> List.of(value.split(",", -1)));
    if (direct) {
      return text(sender.get());
    }
    if (!isTrusted(sender.get())) {
      warnOnce(sender.get());
      return text(sender.get());
    }
    return text(agreed(sender.get(), forwarded, appended));
  }

  /** What requests are counted by: an IPv6 address stands for its /64, which is one household's. */
  public static String network(String address) {
    if (address.indexOf(':') < 0) {
      return address;
    }
    IPAddress parsed = new IPAddressString(address).getAddress();
    if (parsed == null || !parsed.isIPv6()) {
      return address;
    }
    return parsed.toPrefixBlock(64).toCanonicalString();
  }

  private IPAddress agreed(
      IPAddress sender, Optional<List<String>> forwarded, Optional<List<String>> appended) {
    IPAddress one = rightmostUntrusted(sender, forwarded.or(() -> appended).orElseThrow());
    IPAddress other = rightmostUntrusted(sender, appended.or(() -> forwarded).orElseThrow());
    if (one.equals(other)) {
      return one;
    }
    if (warnedOfTwo.compareAndSet(false, true)) {
      log.warn(
          "{} passes on both Forwarded and X-Forwarded-For, and they disagree; let it remove the one"
              + " that it does not write",
          text(sender));
    }
    return sender;
  }

  private IPAddress rightmostUntrusted(IPAddress sender, List<String> hops) {
    IPAddress last = sender;
    for (int i = hops.size() - 1; i >= Math.max(0, hops.size() - MAX_HOPS); i--) {
      Optional<IPAddress> hop = HostAddress.parse(hops.get(i));
      if (hop.isEmpty()) {
        return last; // junk: the proxy before it is all that is known
      }
      last = hop.get();
      if (!isTrusted(last)) {
        return last;
      }
    }
    return last;
  }

  private boolean isTrusted(IPAddress address) {
    return trusted.stream()
        .anyMatch(network ->
            network.getIPVersion() == address.getIPVersion() && network.contains(address));
  }

  private void warnOnce(IPAddress peer) {
    boolean isPrivate = peer.isLocal() || peer.isLoopback();
    if (isPrivate && trusted.isEmpty() && warned.compareAndSet(false, true)) {
      log.warn(
          "{} sends forwarding headers, which are ignored; if it is your proxy, list it in"
              + " TRUSTED_PROXIES, for instance [\"{}\"]",
          text(peer),
          text(peer));
    }
  }

  private static String text(IPAddress address) {
    return address.toCanonicalString();
  }
}
