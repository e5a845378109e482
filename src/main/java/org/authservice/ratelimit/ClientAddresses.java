package org.authservice.ratelimit;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.authservice.http.ClientAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells who sent a request. Forwarding headers are anybody's text: they are believed only from
 * trusted proxies, and of the chain of hops the right-most one that is no trusted proxy counts.
 */
public final class ClientAddresses implements ClientAddress {
  private static final Logger log = LoggerFactory.getLogger(ClientAddresses.class);
  private static final int MAX_HOPS = 32;
  private static final Pattern FORWARDED_FOR =
      Pattern.compile("(?i)(?:^|;)\\s*for\\s*=\\s*(\"[^\"]*\"|[^;\\s]+)");

  private final List<IPAddress> trusted = new ArrayList<>();
  private final AtomicBoolean warned = new AtomicBoolean();

  /** Believes proxies of these networks, such as {@code 10.0.0.0/8}. */
  public ClientAddresses(List<String> trustedProxies) {
    for (String network : trustedProxies) {
      trusted.add(new IPAddressString(network).getAddress());
    }
  }

  @Override
  public String of(String peer, Map<String, String> headers) {
    Optional<IPAddress> sender = parse(peer);
    if (sender.isEmpty()) {
      return peer;
    }
    Optional<List<String>> hops = hops(headers);
    if (hops.isEmpty()) {
      return text(sender.get());
    }
    if (!isTrusted(sender.get())) {
      warnOnce(sender.get());
      return text(sender.get());
    }
    return text(rightmostUntrusted(sender.get(), hops.get()));
  }

  /** What requests are counted by: an IPv6 address stands for its /64, which is one household's. */
  public static String network(String address) {
    IPAddress parsed = new IPAddressString(address).getAddress();
    if (parsed == null || !parsed.isIPv6()) {
      return address;
    }
    return parsed.toPrefixBlock(64).toCanonicalString();
  }

  private IPAddress rightmostUntrusted(IPAddress sender, List<String> hops) {
    IPAddress last = sender;
    for (int i = hops.size() - 1; i >= Math.max(0, hops.size() - MAX_HOPS); i--) {
      Optional<IPAddress> hop = parse(hops.get(i));
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

  private static Optional<List<String>> hops(Map<String, String> headers) {
    String forwarded = headers.get("forwarded");
    if (forwarded != null) {
      List<String> hops = new ArrayList<>();
      for (String element : forwarded.split(",", -1)) {
        var matcher = FORWARDED_FOR.matcher(element.strip());
        hops.add(matcher.find() ? matcher.group(1).replace("\"", "") : "");
      }
      return Optional.of(hops);
    }
    return Optional.ofNullable(headers.get("x-forwarded-for"))
        .map(value -> List.of(value.split(",", -1)));
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

  /** One address, with or without brackets, port and zone; IPv4-mapped IPv6 as IPv4. */
  private static Optional<IPAddress> parse(String text) {
    String bare = text.strip();
    if (bare.startsWith("[")) {
      int end = bare.indexOf(']');
      bare = end < 0 ? "" : bare.substring(1, end);
    } else if (bare.indexOf(':') >= 0 && bare.indexOf(':') == bare.lastIndexOf(':')) {
      bare = bare.substring(0, bare.indexOf(':'));
    }
    int zone = bare.indexOf('%');
    bare = zone < 0 ? bare : bare.substring(0, zone);
    if (bare.isEmpty() || bare.length() > 64 || bare.indexOf('/') >= 0 || bare.indexOf('*') >= 0) {
      return Optional.empty();
    }
    IPAddress address = new IPAddressString(bare).getAddress();
    if (address == null || address.isMultiple()) {
      return Optional.empty();
    }
    if (address.isIPv6() && address.toIPv6().isIPv4Mapped()) {
      return Optional.of(address.toIPv6().getEmbeddedIPv4Address());
    }
    return Optional.of(address);
  }

  private static String text(IPAddress address) {
    return address.toCanonicalString();
  }
}
