package org.authservice.ratelimit;

import inet.ipaddr.AddressStringParameters.RangeParameters;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import inet.ipaddr.IPAddressStringParameters;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads one address as peers and proxies write it, and nothing that merely resembles one. */
final class HostAddress {
  private static final Pattern AFTER_BRACKET = Pattern.compile("(:[0-9]{1,5})?");
  private static final int LONGEST = 64;

  // The library also reads octal and hexadecimal forms, wildcards, ranges and base 85: two
  // spellings that servers understand differently are how address checks are passed.
  private static final IPAddressStringParameters STRICT =
      new IPAddressStringParameters.Builder()
          .allowEmpty(false)
          .allowAll(false)
          .allowSingleSegment(false)
          .allowPrefix(false)
          .allowMask(false)
          .allowPrefixOnly(false)
          .allowWildcardedSeparator(false)
          .allow_inet_aton(false)
          .setRangeOptions(RangeParameters.NO_RANGE)
          .getIPv4AddressParametersBuilder()
          .allowLeadingZeros(false)
          .allowBinary(false)
          .getParentBuilder()
          .getIPv6AddressParametersBuilder()
          .allowZone(false)
          .allowBase85(false)
          .allowBinary(false)
          .getParentBuilder()
          .toParams();

  private HostAddress() {}

  /** One address, with or without brackets, port and zone; IPv4-mapped IPv6 as IPv4. */
  static Optional<IPAddress> parse(String text) {
    String bare = bare(text.strip());
    if (bare.isEmpty() || bare.length() > LONGEST) {
      return Optional.empty();
    }
    IPAddress address = new IPAddressString(bare, STRICT).getAddress();
    return address == null || address.isMultiple()
        ? Optional.empty()
        : Optional.of(unmapped(address));
  }

  /** An address or network; one that lies in {@code ::ffff:0:0/96} as IPv4. */
  static IPAddress unmapped(IPAddress address) {
    return address.isIPv6() && address.toIPv6().isIPv4Mapped()
        ? address.toIPv6().getEmbeddedIPv4Address()
        : address;
  }

  private static String bare(String text) {
    String host = text;
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      boolean whole = end > 0 && AFTER_BRACKET.matcher(text.substring(end + 1)).matches();
      host = whole ? text.substring(1, end) : "";
      host = host.indexOf(':') < 0 ? "" : host;
    } else if (text.indexOf(':') == text.lastIndexOf(':') && text.indexOf(':') > 0) {
      int colon = text.indexOf(':');
      host = AFTER_BRACKET.matcher(text.substring(colon)).matches() ? text.substring(0, colon) : "";
    }
    int zone = host.indexOf('%');
    return zone < 0 ? host : host.substring(0, zone);
  }
}
