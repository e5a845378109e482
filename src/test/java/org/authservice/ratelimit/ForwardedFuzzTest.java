package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * What anybody's headers do to the parser of client addresses. Only the kept inputs run, unless
 * {@code JAZZER_FUZZ=1} and {@code -Dfuzz=true} ask to search for new ones.
 */
class ForwardedFuzzTest {
  private static final String PROXY = "10.0.0.1";
  private static final String CLIENT = "203.0.113.9";

  private final ClientAddresses addresses = new ClientAddresses(List.of("10.0.0.0/8"));

  @FuzzTest(maxDuration = "2m")
  void whateverAClientSendsBeforeIsNotBelieved(byte[] input) {
    String header = new String(input, StandardCharsets.ISO_8859_1);

    assertThat(addresses.of(PROXY, Map.of("x-forwarded-for", header + ", " + CLIENT)))
        .isEqualTo(CLIENT);
    assertThat(addresses.of(CLIENT, Map.of("x-forwarded-for", header))).isEqualTo(CLIENT);
    assertThat(addresses.of(CLIENT, Map.of("forwarded", header))).isEqualTo(CLIENT);
  }

  @FuzzTest(maxDuration = "2m")
  void whateverAProxyPassesOnGivesOneAddress(byte[] input) {
    String header = new String(input, StandardCharsets.ISO_8859_1);

    for (String name : List.of("forwarded", "x-forwarded-for")) {
      String client = addresses.of(PROXY, Map.of(name, header));
      assertThat(HostAddress.parse(client).map(it -> it.toCanonicalString())).contains(client);
      assertThat(ClientAddresses.network(client)).isNotEmpty();
    }
  }

  @FuzzTest(maxDuration = "2m")
  void anElementThatAProxyAppendsIsNotHiddenByWhatIsBeforeIt(byte[] input) {
    String header = new String(input, StandardCharsets.ISO_8859_1);

    // An unclosed quote before makes the whole unreadable: then the proxy itself is the client.
    assertThat(addresses.of(PROXY, Map.of("forwarded", header + ", for=" + CLIENT)))
        .isIn(CLIENT, PROXY);
  }
}
