package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;
import org.authservice.settings.MailSettings;
import org.authservice.settings.StartFailure;
import org.authservice.testing.Databases;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TemplatesTest {
  private static final Pattern SIX_DIGITS = Pattern.compile("[0-9]{6,}");
  private static final Optional<Secret> CODE = Optional.of(Secret.of("012345"));

  @TempDir Path folder;

  @Test
  void everyMailIsWholeAndEscapedInEveryLanguageAndHoldsItsCodeOnce() {
    var templates = new Templates(look("<b>&brand", Optional.empty()), "host", 10);
    assertThat(templates.languages()).containsExactly("ar", "en", "es");
    for (String language : templates.languages()) {
      for (Template template : Template.values()) {
        Letter letter = templates.render(template, language, CODE);
        int codes = template.carriesCode() ? 1 : 0;
        assertThat(letter.subject()).as("%s", template).isNotBlank().doesNotContain("\n");
        assertThat(runs(letter.subject())).as("%s %s", template, language).isEqualTo(codes);
        assertThat(runs(letter.text())).as("%s %s", template, language).isEqualTo(codes);
        assertThat(runs(letter.html())).as("%s %s", template, language).isEqualTo(codes);
        assertThat(letter.text()).contains("<b>&brand").doesNotContain("{{");
        assertThat(letter.html())
            .contains("&lt;b&gt;&amp;brand")
            .doesNotContain("<b>")
            .doesNotContain("{{")
            .contains("lang=\"" + language + "\"")
            .contains("dir=\"" + (language.equals("ar") ? "rtl" : "ltr") + "\"");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|en",
        "es|es",
        "es-MX|es",
        "eu,es;q=0.9,en;q=0.8|es",
        "ar-EG, en|ar",
        "xx|en",
        "*|en",
        ";;;=|en",
      })
  void theFirstLanguageThatThereIsIsTaken(String preferences, String language) {
    var templates = new Templates(look("brand", Optional.empty()), "host", 10);

    assertThat(templates.render(Template.LOGIN_CODE, preferences, CODE).language())
        .isEqualTo(language);
  }

  @Test
  void theBrandStandsInEveryMail() {
    var look =
        new MailSettings.Look(
            Optional.of("Example \"School\""),
            Optional.of("https://www.example.com/logo.png?a=1&b=2"),
            "rgb(10, 125, 92)",
            Optional.of("help@example.com"),
            "en",
            Optional.empty());
    var branded = new Templates(look, "auth.example.com", 10);
    var plain =
        new Templates(
            new MailSettings.Look(
                Optional.empty(),
                Optional.empty(),
                "rgb(0, 0, 0)",
                Optional.empty(),
                "en",
                Optional.empty()),
            "auth.example.com",
            10);
    for (Template template : Template.values()) {
      Letter letter = branded.render(template, "en", CODE);
      assertThat(letter.text()).contains("Example \"School\"").contains("help@example.com");
      assertThat(letter.html())
          .contains("alt=\"Example &quot;School&quot;\"")
          .contains("src=\"https://www.example.com/logo.png?a&#x3D;1&amp;b&#x3D;2\"")
          .contains("rgb(10, 125, 92)")
          .contains("help@example.com");
      Letter without = plain.render(template, "en", CODE);
      assertThat(without.text()).contains("auth.example.com").doesNotContain("Questions?");
      assertThat(without.html()).doesNotContain("<img").contains(">auth.example.com<");
    }
  }

  @Test
  void anOperatorsFileTakesTheProductsPlace() throws IOException {
    write("en/login-code.txt", "{{code}} opens {{brand}}\n\nHello & welcome:\n\n    {{code}}\n");
    var templates = new Templates(look("Brand", Optional.of(folder)), "host", 10);

    Letter letter = templates.render(Template.LOGIN_CODE, "en", CODE);

    assertThat(letter.subject()).isEqualTo("012345 opens Brand");
    assertThat(letter.html()).contains("<p>Hello &amp; welcome:</p>").contains("class=\"code\"");
    assertThat(templates.render(Template.LOGIN_CODE, "es", CODE).subject()).contains("acceso");
  }

  @Test
  void aBadFileStopsTheStartAndIsNamedWithItsLine() throws IOException {
    Map<String, String> wrong =
        Map.of(
            "{{code}} is it\n\nGood for {{hours}}.\n\n{{code}}\n", "line 3: there is no value",
            "{{code}} is it\n\n{{{code}}}\n", "line 3: there is no value",
            "{{code}} is it\n\n{{>/etc/passwd}}\n\n{{code}}\n", "line 3: there is no value",
            "Your code\n\n{{code}}\n", "line 1: the subject must hold {{code}} once",
            "{{code}} is it\n\nLook above.\n", "line 2: the text must hold {{code}} once",
            "{{code}} is it\n\nCall 123456.\n\n{{code}}\n", "line 3: six digits in a row",
            "{{code}} is it", "line 2: there is no text",
            "{{code}} is it\n\n{{#support}}\n\n{{code}}\n", "login-code.txt");
    for (var entry : wrong.entrySet()) {
      write("en/login-code.txt", entry.getKey());
      assertRefused(entry.getValue());
    }
    Files.delete(folder.resolve("en/login-code.txt"));
    write("en/verificaton.txt", "x\n\ny\n");
    assertRefused("verificaton.txt, line 1: no mail is made from a file of this name");
    Files.delete(folder.resolve("en/verificaton.txt"));
    write("fr/login-code.txt", "{{code}} est le code\n\n{{code}}\n");
    assertRefused("fr/verification.txt, line 1: the file is missing");
  }

  @ParameterizedTest
  @EnumSource
  void mailsComeInTheAccountsLanguageWhateverAStrangerAsksFor(Databases engine) {
    try (var service = TestService.with(engine).set("OTP_RATE_LIMIT_MINUTES", "0").start()) {
      service
          .post(
              "/auth/register",
              Map.of("email", "ada@example.com", "password", TestService.PASSWORD),
              "Accept-Language",
              "es-MX,es;q=0.9")
          .expect(201);
      service.ask("ada@example.com", "login", "Accept-Language", "ar").expect(200);
      service.register("bob@example.com");
      service.ask("bob@example.com", "login", "Accept-Language", "ar").expect(200);

      assertThat(service.mails("ada@example.com"))
          .allSatisfy(mail -> assertThat(mail.path("html").asText()).contains("lang=\"es\""))
          .hasSize(2);
      assertThat(service.mails("bob@example.com").getFirst().path("html").asText())
          .contains("lang=\"ar\"");
    }
  }

  private void assertRefused(String complaint) {
    assertThatThrownBy(() -> new Templates(look("Brand", Optional.of(folder)), "host", 10))
        .as(complaint)
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining(complaint);
  }

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private static int runs(String text) {
    return (int) SIX_DIGITS.matcher(text).results().count();
  }

  private static MailSettings.Look look(String brand, Optional<Path> templates) {
    return new MailSettings.Look(
        Optional.of(brand),
        Optional.empty(),
        "rgb(1, 2, 3)",
        Optional.of("help@example.com"),
        "en",
        templates);
  }
}
