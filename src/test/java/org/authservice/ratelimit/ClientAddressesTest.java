package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClientAddressesTest {
  private final ClientAddresses untrusting = new ClientAddresses(List.of());
  private final ClientAddresses trusting =
      new ClientAddresses(List.of("10.0.0.0/8", "192.0.2.7", "fd00::/8"));

  @Test
  void withoutTrustedProxiesForwardingHeadersChangeNothing() {
    assertThat(untrusting.of("10.1.2.3", Map.of("x-forwarded-for", "203.0.113.9")))
        .isEqualTo("10.1.2.3");
    assertThat(untrusting.of("10.1.2.3", Map.of("forwarded", "for=203.0.113.9")))
        .isEqualTo("10.1.2.3");
  }

  @Test
  void anUntrustedPeerIsNotBelieved() {
    assertThat(trusting.of("203.0.113.1", Map.of("x-forwarded-for", "198.51.100.1")))
        .isEqualTo("203.0.113.1");
  }

  @Test
  void theRightmostUntrustedHopCounts() {
    assertThat(
            trusting.of(
                "10.0.0.1", Map.of("x-forwarded-for", "1.1.1.1, 203.0.113.9, 192.0.2.7, 10.9.9.9")))
        .isEqualTo("203.0.113.9");
    assertThat(
            trusting.of(
                "10.0.0.1",
                Map.of("forwarded", "for=1.1.1.1;proto=https, for=\"[2001:db8::1]:4711\"")))
        .isEqualTo("2001:db8::1");
    assertThat(trusting.of("10.0.0.1", Map.of("x-forwarded-for", "203.0.113.9:5555")))
        .isEqualTo("203.0.113.9");
    assertThat(trusting.of("10.0.0.1", Map.of("x-forwarded-for", "10.1.1.1, 10.2.2.2")))
        .isEqualTo("10.1.1.1");
  }

  @Test
  void junkStopsTheWalkAtTheLastHopThatIsKnown() {
    for (String junk :
        List.of("unknown", "", ",,,", "999.1.1.1", "*", "0.0.0.0/0", "_hidden", "::g")) {
      assertThat(trusting.of("10.0.0.1", Map.of("x-forwarded-for", "203.0.113.9, " + junk)))
          .as(junk)
          .isEqualTo("10.0.0.1");
    }
  }

  @Test
  void aMappedAddressIsTheIpv4Address() {
    assertThat(untrusting.of("::ffff:203.0.113.9", Map.of())).isEqualTo("203.0.113.9");
    assertThat(untrusting.of("0:0:0:0:0:ffff:cb00:7109", Map.of())).isEqualTo("203.0.113.9");
    assertThat(trusting.of("::ffff:10.0.0.1", Map.of("x-forwarded-for", "::ffff:203.0.113.9")))
        .isEqualTo("203.0.113.9");
  }

  @Test
  void anIpv6AddressIsCountedByItsHousehold() {
    assertThat(ClientAddresses.network("2001:db8:1:2:3:4:5:6"))
        .isEqualTo(ClientAddresses.network("2001:db8:1:2::9"))
        .isNotEqualTo(ClientAddresses.network("2001:db8:1:3::9"));
    assertThat(ClientAddresses.network("203.0.113.9")).isEqualTo("203.0.113.9");
  }

  @Test
  void noHeaderCrashesTheParserOrInventsATrustedClient() {
    long seed = System.nanoTime();
    var random = new Random(seed);
    String alphabet = "0123456789abcdef.:[]%,;=\"for /\t*x-";
    for (int i = 0; i < 20_000; i++) {
      var header = new StringBuilder();
      int length = random.nextInt(200);
      for (int j = 0; j < length; j++) {
        header.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String name = random.nextBoolean() ? "forwarded" : "x-forwarded-for";
      assertThat(untrusting.of("203.0.113.1", Map.of(name, header.toString())))
          .as("seed %d: %s", seed, header)
          .isEqualTo("203.0.113.1");
      assertThat(trusting.of("10.0.0.1", Map.of(name, header.toString())))
          .as("seed %d: %s", seed, header)
          .isNotEmpty();
    }
    assertThat(
            trusting.of(
                "10.0.0.1", Map.of("x-forwarded-for", "10.0.0.2, ".repeat(100) + "1.2.3.4")))
        .isEqualTo("1.2.3.4");
  }

  @Test
  void headersThatDisagreeAreNotBelieved() {
    // The client sent one of them, the proxy wrote the other: nobody can tell which.
    assertThat(
            trusting.of(
                "10.0.0.1",
                Map.of("forwarded", "for=6.6.6.6", "x-forwarded-for", "6.6.6.7, 203.0.113.9")))
        .isEqualTo("10.0.0.1");
    assertThat(
            trusting.of(
                "10.0.0.1",
                Map.of(
                    "forwarded", "for=6.6.6.6, for=203.0.113.9", "x-forwarded-for", "203.0.113.9")))
        .isEqualTo("203.0.113.9");
  }

  @Test
  void aQuotedValueIsNoHop() {
    for (String forged :
        List.of(
            "for=203.0.113.9;host=\"x,for=6.6.6.6\"",
            "host=\"x;for=6.6.6.6\";for=203.0.113.9",
            "for=\"6.6.6.6\\\"\", for=203.0.113.9")) {
      assertThat(trusting.of("10.0.0.1", Map.of("forwarded", forged)))
          .as(forged)
          .isEqualTo("203.0.113.9");
    }
    for (String broken :
        List.of(
            "for=\"6.6.6.6, for=203.0.113.9",
            "for=6.6.6.6;for=7.7.7.7",
            "for=203.0.113.9;",
            "for=203.0.113.9,",
            "for = 203.0.113.9",
            "203.0.113.9",
            "for=",
            "=203.0.113.9",
            "for=203.0.113.9 x=y",
            "for=\"203.0.113.9\\")) {
      assertThat(trusting.of("10.0.0.1", Map.of("forwarded", broken)))
          .as(broken)
          .isEqualTo("10.0.0.1");
    }
  }

  @Test
  void onlyPlainFormsOfAnAddressAreRead() {
    for (String other :
        List.of(
            "0x7f.1",
            "3405803785",
            "010.0.0.9",
            "203.0.113.009",
            "203.0.113",
            "203.0.113.*",
            "203.0.113.1-9",
            "[203.0.113.9]",
            "[2001:db8::1]x",
            "[2001:db8::1",
            "203.0.113.9:port",
            "203.0.113.9:123456",
            "4)+k&C#VzJ4br>0wv%Yp")) {
      assertThat(trusting.of("10.0.0.1", Map.of("x-forwarded-for", other)))
          .as(other)
          .isEqualTo("10.0.0.1");
    }
    assertThat(trusting.of("10.0.0.1", Map.of("x-forwarded-for", "2001:db8::1%eth0")))
        .isEqualTo("2001:db8::1");
  }

  @Test
  void everyShortHeaderIsReadToItsEnd() {
    // All texts of up to five of these pieces: what is read is the last hop, or nothing.
    List<String> pieces = List.of("for=", "1.1.1.1", "\"", ",", ";", "\\", " ", "by=x");
    List<String> texts = List.of("");
    for (int length = 1; length <= 5; length++) {
      texts = texts.stream().flatMap(it -> pieces.stream().map(it::concat)).toList();
      for (String text : texts) {
        assertThat(trusting.of("10.0.0.1", Map.of("forwarded", text)))
            .as(text)
            .isIn("10.0.0.1", "1.1.1.1");
        assertThat(trusting.of("10.0.0.1", Map.of("forwarded", text + ", for=203.0.113.9")))
            .as(text)
            .isIn("10.0.0.1", "203.0.113.9");
      }
    }
  }

  @Test
  void aThousandMappedClientsAreAThousandClients() {
    long clients =
        IntStream.range(0, 1000)
            .mapToObj(
                i -> untrusting.of("::ffff:203.0.%d.%d".formatted(i / 250, i % 250), Map.of()))
            .map(ClientAddresses::network)
            .distinct()
            .count();

    assertThat(clients).isEqualTo(1000);
  }
}
