package org.authservice.account;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What passes for one plain address, and what a stranger could smuggle in with one. */
class EmailAddressTest {
  @ParameterizedTest
  @CsvSource({
    "ada@example.com, ada@example.com",
    "' ada@example.com ', ada@example.com",
    "Ada.Lovelace+notes@Example.COM, ada.lovelace+notes@example.com",
    "ada@sub.example.museum, ada@sub.example.museum",
    "o'neill/dept=x@example.com, o'neill/dept=x@example.com",
    "ａｄａ@example.com, ada@example.com",
    "ada＠example.com, ada@example.com",
    "ada@ｅxample．com, ada@example.com",
    "ada@example。com, ada@example.com",
    "ﬁona@example.com, fiona@example.com",
    "ada@bücher.example, ada@xn--bcher-kva.example",
    "ada@BÜCHER.example, ada@xn--bcher-kva.example",
    "ada@xn--bcher-kva.example, ada@xn--bcher-kva.example",
    "ada@xn--strae-oqa.de, ada@xn--strae-oqa.de",
    "жанна@пример.рф, жанна@xn--e1afmkfd.xn--p1ai",
  })
  void allSpellingsOfAnAddressBecomeOne(String given, String normalised) {
    assertThat(EmailAddress.parse(given)).map(EmailAddress::normalised).contains(normalised);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "ada@localhost",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@exam_ple.com",
        // more than one
        "ada@example.com,eve@example.net",
        "ada@example.com，eve@example.net",
        "ada@example.com;eve@example.net",
        "ada@example.com；eve",
        "ada@example.com eve@example.net",
        "ada@example.com@example.net",
        "ada@example.com＠example.net",
        "ada﹫example.com@example.net",
        "ada,eve@example.com",
        "ada，eve@example.com",
        "ada﹐eve@example.com",
        // names, comments, quotes, routes, literals
        "Ada <ada@example.com>",
        "＜ada@example.com＞",
        "ada(comment)@example.com",
        "ada（comment）@example.com",
        "ada@example.com (Ada)",
        "\"ada\"@example.com",
        "＂ada＂@example.com",
        "\"a b\"@example.com",
        "@example.net:ada@example.com",
        "ada@[127.0.0.1]",
        "ada@［127.0.0.1］",
        "ada@[IPv6:::1]",
        "ada@127.0.0.1",
        "a\\da@example.com",
        "a＼da@example.com",
        "mailto:ada@example.com",
        "mailto：ada@example.com",
        // header lines
        "ada@example.com\r\nBcc: eve@example.net",
        "ada@example.com\n",
        "\rada@example.com",
        "a\nda@example.com",
        "ada@exa\rmple.com",
        "ada@example.com\u0000",
        "ada\u0085@example.com",
        "ada@example.com\u2028",
        "ada\u2029@example.com",
        "ada\t@example.com",
        "ad a@example.com",
        "ad\u00a0a@example.com",
        "ad\u3000a@example.com",
        // what is not seen, or is seen as something else
        "ad\u200ba@example.com",
        "ada\u202e@example.com",
        "\ufeffada@example.com",
        "ada@exam\u00adple.com",
        "ada@exam\u200dple.com",
        "ada@exam／ple.com",
        "ada@℀.com",
        "ada@example.com／eve",
        "ada@example.com？eve",
        "ada\ue000@example.com",
        "ada\ud800@example.com",
        // another domain by IDNA 2008 than by 2003
        "ada@straße.de",
        "ada@STRAẞE.de",
        "ada@βόλος.com",
      })
  void whatIsNotExactlyOnePlainAddressIsRefused(String text) {
    assertThat(EmailAddress.parse(text)).isEmpty();
  }

  @Test
  void lengthIsLimitedBeforeAndAfterFolding() {
    String host = ("@" + "a".repeat(60) + "." + "b".repeat(60) + "." + "c".repeat(60) + ".com");
    assertThat(EmailAddress.parse("a".repeat(64) + host)).isPresent();
    assertThat(EmailAddress.parse("a".repeat(65) + host)).isEmpty();
    assertThat(EmailAddress.parse("ﷺ".repeat(20) + host)).isEmpty();
    assertThat(EmailAddress.parse("ada@" + "a".repeat(64) + ".com")).isEmpty();
    assertThat(EmailAddress.parse("ada@" + "a.".repeat(200) + "com")).isEmpty();
  }

  @Test
  void anAddressThatFoldsIntoTwoReachesNobody() {
    try (var service = TestService.on(Databases.SQLITE)) {
      for (String email :
          new String[] {
            "ada@example.com，eve@example.net", "ada@example.com\r\nBcc: e@example.net"
          }) {
        service
            .post("/auth/register", Map.of("email", email, "password", TestService.PASSWORD))
            .expect(422, "validation_failed");
        service.ask(email, "login").expect(422, "validation_failed");
        service.login(email, TestService.PASSWORD).expect(422, "validation_failed");
      }
      assertThat(service.database().column("SELECT recipient FROM outbox")).isEmpty();
    }
  }
}
