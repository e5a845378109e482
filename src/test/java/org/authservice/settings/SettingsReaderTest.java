package org.authservice.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.authservice.secret.Secrets;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsReaderTest {
  private static final String KEY = "0123456789abcdef0123456789abcdef";

  @TempDir Path folder;

  @Test
  void nothingNeedsToBeSet() {
    Settings settings = read(Map.of()).settings();

    assertThat(settings.production()).isFalse();
    assertThat(settings.listener().host()).isEqualTo("127.0.0.1");
    assertThat(settings.listener().port()).isEqualTo(8000);
    assertThat(settings.listener().managementPort()).contains(9000);
    assertThat(settings.listener().corsOrigins()).containsExactly("http://localhost:3000");
    assertThat(settings.listener().docs()).isTrue();
    assertThat(settings.database().location())
        .isEqualTo(new DatabaseSettings.Sqlite(folder.resolve("auth.db"), false));
    assertThat(settings.database().poolSize()).isEqualTo(10);
    assertThat(settings.tokens().accessLife()).isEqualTo(Duration.ofMinutes(30));
    assertThat(settings.sessions())
        .isEqualTo(
            new SessionSettings(Duration.ofDays(7), Duration.ofDays(30), Duration.ofSeconds(30)));
    assertThat(settings.codes())
        .isEqualTo(new CodeSettings(Duration.ofMinutes(10), 3, Duration.ofMinutes(1), 10, 20));
    assertThat(settings.passwords())
        .isEqualTo(
            new PasswordSettings(PasswordSettings.Hash.AUTO, PasswordSettings.Policy.COMPOSITION));
    assertThat(settings.limits().perMinute()).isEqualTo(100);
    assertThat(settings.mail().maxPerMinute()).isEqualTo(600);
  }

  @Test
  void theSecretKeyIsMadeOnceForItsOwnerOnly() throws IOException {
    List<String> keys =
        TestService.parallel(8, () -> read(Map.of()).settings().tokens().secretKey().reveal());

    assertThat(keys).hasSize(8).allMatch(keys.getFirst()::equals);
    Path file = folder.resolve(".auth-secret");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(keys.getFirst()).hasSizeGreaterThanOrEqualTo(32);
  }

  @Test
  void theEnvironmentWinsOverTheFile() throws IOException {
    Files.writeString(
        folder.resolve(".env"),
        "# a comment\nexport PORT=1234\nOTP_EXPIRY_MINUTES = '5' # life\nHOST=\"127.0.0.1\"\n");

    SettingsReader.Result read = read(Map.of("PORT", "4321"));

    assertThat(read.settings().listener().port()).isEqualTo(4321);
    assertThat(read.settings().codes().life()).isEqualTo(Duration.ofMinutes(5));
    assertThat(origin(read, "PORT")).isEqualTo("environment");
    assertThat(origin(read, "OTP_EXPIRY_MINUTES")).isEqualTo(".env");
    assertThat(origin(read, "SMTP_HOST")).isEqualTo("default");
  }

  @Test
  void theFileIsReadAsPythonReadsIt() throws IOException {
    Files.writeString(
        folder.resolve(".env"),
        """
        \uFEFFBACKEND_CORS_ORIGINS="[\\"http://a.example\\", \\"capacitor://localhost\\"]" # both
        RATE_LIMITS='{
          "POST /auth/login": "20/minute"
        }'
        JWT_AUDIENCE=a#b # not this
        JWT_ISSUER= # nothing
        PORT=1
        PORT=2\r
        a stray line
        """);

    SettingsReader.Result read = read(Map.of());

    assertThat(read.settings().listener().corsOrigins())
        .containsExactly("http://a.example", "capacitor://localhost");
    assertThat(read.settings().limits().endpoints()).containsKey("POST /auth/login");
    assertThat(read.settings().tokens().audience()).contains("a#b");
    assertThat(read.settings().tokens().issuer()).isEmpty();
    assertThat(read.settings().listener().port()).isEqualTo(2);
    assertThat(read.warnings())
        .containsExactly(
            ".env: PORT is there more than once; the last one counts",
            ".env: line 9 is not NAME=value and says nothing");
  }

  @Test
  void aQuoteThatIsNeverClosedIsToldWithItsLine() throws IOException {
    Files.writeString(folder.resolve(".env"), "PORT=1\nJWT_ISSUER='open\nHOST=::1\n");

    assertThatThrownBy(() -> read(Map.of()))
        .isInstanceOf(StartFailure.class)
        .hasMessage(".env: the quote that line 2 opens is never closed.");
  }

  @Test
  void anUnknownNameInTheFileIsAWarningWithTheNearestOne() throws IOException {
    Files.writeString(folder.resolve(".env"), "OTP_EXPIRY_MINUTE=5\n");

    assertThat(read(Map.of()).warnings())
        .containsExactly(
            ".env: unknown setting OTP_EXPIRY_MINUTE; did you mean OTP_EXPIRY_MINUTES?");
  }

  @Test
  void everyProblemIsToldInALineOfItsOwn() {
    assertThatThrownBy(() ->
            read(
                Map.of(
                    "PORT", "many",
                    "OTP_MAX_ATTEMPTS", "11",
                    "PASSWORD_HASH", "md5",
                    "BACKEND_CORS_ORIGINS", "[\"*\"]",
                    "DATABASE_URL", "mysql://x")))
        .isInstanceOf(StartFailure.class)
        .satisfies(failure ->
            assertThat(String.valueOf(failure.getMessage()).lines())
                .hasSize(5)
                .allMatch(line -> line.matches("[A-Z_]+: .*; for example [A-Z_]+=.+")));
  }

  @Test
  void badValuesAreRefused() {
    Map<String, List<String>> bad = new HashMap<>();
    bad.put(
        "SECRET_KEY",
        List.of(
            "short",
            "changeme-changeme-changeme-changeme",
            "a".repeat(40),
            "your-secret-key-your-secret-key-your",
            "prod-change_me-0123456789abcdef0123456789",
            "abcdefg1".repeat(5)));
    bad.put(
        "PUBLIC_BASE_URL", List.of("ftp://x", "http://x/path", "x", "http://x?y", "http://u@x"));
    bad.put(
        "BACKEND_CORS_ORIGINS",
        List.of(
            "[\"*\"]",
            "[\"null\"]",
            "[\"http://x/\"]",
            "[\"https://X\"]",
            "[\"https://x:443\"]",
            "[1]",
            "[",
            "{}"));
    bad.put(
        "RATE_LIMITS",
        List.of("[]", "{\"POST /x\":5}", "{\"POST /x\":\"5/week\"}", "{\"x\":\"5/minute\"}"));
    bad.put(
        "RATE_LIMIT_NETWORKS",
        List.of("{\"x\":5}", "{\"10.0.0.0/8\":\"5\"}", "{\"10.0.0.0/8\":0}"));
    bad.put(
        "TRUSTED_PROXIES",
        List.of("[\"not a network\"]", "[7]", "[\"10.*\"]", "[\"*\"]", "[\"10.1.2.3/8\"]"));
    bad.put("LEGACY_TOKENS", List.of("sometimes", "2027-01-31"));
    bad.put("ALGORITHM", List.of("none", "RS1", "hs1"));
    bad.put(
        "DATABASE_URL",
        List.of(
            "sqlite:/x",
            "sqlite:///",
            "postgresql://host/db",
            "postgresql://u@host",
            "postgresql://u:p@h:0/d",
            "postgresql://u:100%@h/d",
            "postgresql://u:a/b@h/d"));
    bad.put("SMTP_USERNAME", List.of("only-a-name"));
    bad.put("SECRET_KEY_PREVIOUS", List.of("short", "[\"short\"]", "[1]"));
    bad.put("LOG_LEVEL", List.of("LOUD"));
    bad.put(
        "LOGIN_REDIRECT_URLS",
        List.of(
            "[\"http://app.example.com/in\"]",
            "[\"https://*.example.com/in\"]",
            "[\"https://app.example.com/in#fragment\"]",
            "[\"https://user@app.example.com/in\"]",
            "[\"//app.example.com/in\"]",
            "[\"/in\"]",
            "[\"javascript:alert(1)\"]",
            "[\"data:text/html,x\"]",
            "[\"httpx:/in\"]",
            "[\"https:///in\"]",
            "[\"https://app.example.com/a b\"]",
            "[\"\"]",
            "[1]",
            "[",
            "{}"));
    bad.put("MAIL_EVENTS_SECRET", List.of("fifteen-bytes-x"));
    bad.put("MAIL_BRAND_NAME", List.of("x".repeat(61), "a\u202Eb", "room 123456"));
    bad.put(
        "MAIL_BRAND_LOGO",
        List.of(
            "http://example.com/logo.png",
            "javascript:alert(1)",
            "https://example.com/\"onerror=x",
            "https://example.com/a b"));
    bad.put("MAIL_BRAND_COLOUR", List.of("red", "#12345", "#1234567", "#12345g", "url(x)"));
    bad.put(
        "MAIL_SUPPORT_ADDRESS",
        List.of("help", "a@b@c", "<help@example.com>", "help123456@example.com"));
    bad.put("MAIL_LANGUAGE", List.of("english", "EN", "en_GB", "../en"));
    bad.put("MAIL_TEMPLATES_DIR", List.of("there-is-no-such-folder"));
    bad.put("MAIL_MAX_PER_MINUTE", List.of("0", "1000001", "many"));
    bad.put("MAIL_CONNECTIONS", List.of("0", "51"));
    bad.put("MAIL_SUPPRESSION_DAYS", List.of("-1", "366"));
    bad.put("SMTP_TLS", List.of("maybe"));
    bad.put("SMTP_HOST", List.of("smtp.example.com"));
    bad.put("GOOGLE_CLIENT_ID", List.of("without-a-secret"));
    bad.put("GOOGLE_CLIENT_SECRET", List.of("without-an-id"));
    bad.put("GOOGLE_CLIENT_IDS", List.of("[\"without-the-web-client\"]", "[1]"));
    bad.put(
        "GOOGLE_ISSUER",
        List.of(
            "accounts.google.com",
            "http://accounts.google.com",
            "https://accounts.google.com?x",
            "https://accounts.google.com#x",
            "https://u:p@accounts.google.com"));
    String school =
        "[{\"name\":\"school\",\"issuer\":\"https://id.example\",\"client_id\":\"a\","
            + "\"client_secret\":\"hunter2\"}]";
    bad.put(
        "OIDC_PROVIDERS",
        List.of(
            "{}",
            "[",
            "[1]",
            "[{}]",
            school.replace("school", "School"),
            school.replace("school", "a/b"),
            school.replace("school", "google"),
            school.replace("school", ""),
            school.replace("https", "http"),
            school.replace("https://id.example", "id.example"),
            school.replace("\"a\"", "7"),
            school.replace("\"a\"", "\"\""),
            school.replace("\"hunter2\"", "null"),
            school.replace("}", ",\"trust_email\":\"yes\"}"),
            school.replace("}", ",\"trust_mail\":true}"),
            "[" + school.substring(1, school.length() - 1) + "," + school.substring(1),
            "["
                + school.substring(1, school.length() - 1)
                + ","
                + school.replace("school", "other").substring(1)));
    bad.put("OTP_RATE_LIMIT_MINUTES", List.of("-1", "61", "1.5", "0x1"));
    bad.put("MIGRATE_ON_START", List.of("maybe"));
    bad.forEach((name, values) ->
        values.forEach(value ->
            assertThatThrownBy(() -> read(Map.of(name, value)))
                .as("%s=%s", name, value)
                .isInstanceOf(StartFailure.class)
                .message()
                .doesNotContain("changeme-changeme")
                .doesNotContain("hunter2")
                .matches("[A-Z_]+: [^\n]*; for example [A-Z_]+=[^\n]+")));
  }

  @Test
  void providersAndTheUrlsTheyReturnToAreReadAsTheyStand() {
    ProviderSettings providers =
        read(Map.of(
                "GOOGLE_CLIENT_ID", "web",
                "GOOGLE_CLIENT_SECRET", "hunter2",
                "GOOGLE_CLIENT_IDS", "[\"ios\"]",
                "OIDC_PROVIDERS", String.valueOf(example("OIDC_PROVIDERS")),
                "LOGIN_REDIRECT_URLS",
                    "[\"https://app.example.com/in?x=1\", \"http://localhost:3000/in\","
                        + " \"org.example.app:/in\"]"))
            .settings()
            .providers();

    assertThat(providers.google().orElseThrow().nativeClientIds()).containsExactly("ios");
    assertThat(providers.others().getFirst().trust()).isEqualTo(ProviderSettings.EmailTrust.ALWAYS);
    assertThat(providers.redirectUrls()).hasSize(3);
    assertThat(providers.toString()).doesNotContain("hunter2").doesNotContain("its-secret");
  }

  private static String example(String name) {
    return Catalogue.ALL.stream()
        .filter(setting -> setting.name().equals(name))
        .findFirst()
        .orElseThrow()
        .example();
  }

  @Test
  void productionNeedsItsThreeSettingsAndTurnsConveniencesOff() {
    assertThatThrownBy(() -> read(Map.of("ENVIRONMENT", "production")))
        .message()
        .contains("SECRET_KEY:", "DATABASE_URL:", "PUBLIC_BASE_URL:");
    assertThatThrownBy(() ->
            read(
                Map.of(
                    "ENVIRONMENT", "production",
                    "SECRET_KEY", KEY,
                    "DATABASE_URL", "postgresql://u:p@h/d",
                    "PUBLIC_BASE_URL", "http://auth.example.com")))
        .message()
        .contains("PUBLIC_BASE_URL", "https");

    Settings settings =
        read(Map.of(
                "ENVIRONMENT", "production",
                "SECRET_KEY", KEY,
                "DATABASE_URL", "postgresql://u:p@h/d",
                "PUBLIC_BASE_URL", "https://auth.example.com"))
            .settings();

    assertThat(settings.listener().docs()).isFalse();
    assertThat(settings.listener().corsOrigins()).isEmpty();
    assertThat(settings.listener().shutdownDelay()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.logs().json()).isTrue();
  }

  @Test
  void othersMayReachTheServiceOnlyUnderAKeyOfTheOperators() {
    assertThatThrownBy(() -> read(Map.of("HOST", "0.0.0.0"))).message().contains("SECRET_KEY:");
    assertThat(read(Map.of("HOST", "0.0.0.0", "SECRET_KEY", KEY)).settings().listener().host())
        .isEqualTo("0.0.0.0");
    assertThat(folder.resolve(".auth-secret")).doesNotExist();
  }

  @Test
  void aShortPreviousKeyIsTakenWithAnEndDate() {
    var tokens =
        read(Map.of("SECRET_KEY_PREVIOUS", "short", "LEGACY_TOKENS", "2027-01-31T00:00:00Z"))
            .settings()
            .tokens();

    assertThat(tokens.previousKeys()).hasSize(1);
    assertThat(tokens.previousKeys().getFirst().reveal()).isEqualTo("short");
  }

  @Test
  void databaseUrlsAreReadAsSqlalchemyWritesThem() {
    assertThat(location("sqlite:////data/auth.db"))
        .isEqualTo(new DatabaseSettings.Sqlite(Path.of("/data/auth.db"), false));
    assertThat(location("sqlite:///sub/auth.db"))
        .isEqualTo(new DatabaseSettings.Sqlite(folder.resolve("sub/auth.db"), false));
    assertThat(((DatabaseSettings.Sqlite) location("sqlite://")).temporary()).isTrue();
    for (String scheme :
        List.of("postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg")) {
      var postgres =
          (DatabaseSettings.Postgres)
              location(scheme + "://au%40th:p%3Aw+d@db.example:6543/au?sslmode=require");
      assertThat(postgres.user()).isEqualTo("au@th");
      assertThat(postgres.password().reveal()).isEqualTo("p:w+d");
      assertThat(postgres.port()).isEqualTo(6543);
      assertThat(postgres.parameters()).containsEntry("sslmode", "require");
    }
    assertThat(((DatabaseSettings.Sqlite) location("sqlite:///:memory:")).temporary()).isTrue();
    var postgres = (DatabaseSettings.Postgres) location("postgresql://u:p@ss:w{^|}rd@my_db/d");
    assertThat(postgres.port()).isEqualTo(5432);
    assertThat(postgres.host()).isEqualTo("my_db");
    assertThat(postgres.password().reveal()).isEqualTo("p@ss:w{^|}rd");
  }

  @Test
  void secretsAreMaskedInWhatIsShown() {
    SettingsReader.Result read =
        read(
            Map.of(
                "SECRET_KEY", KEY,
                "DATABASE_URL", "postgresql://u:hunter2@h/d",
                "SMTP_USERNAME", "mailer",
                "SMTP_PASSWORD", "hunter3"));

    String shown = read.effective().toString();
    assertThat(shown).doesNotContain(KEY).doesNotContain("hunter2").doesNotContain("hunter3");
    assertThat(shown).contains("postgresql://u:****@h/d");
    assertThat(read.settings().toString()).doesNotContain(KEY).doesNotContain("hunter");
  }

  @Test
  void theExampleFileNamesEverySettingInOrder() throws IOException {
    String example =
        Catalogue.ALL.stream()
            .map(setting ->
                "# "
                    + setting.meaning()
                    + " (default: "
                    + (setting.fallback().isEmpty() ? "none" : setting.fallback())
                    + ")\n# "
                    + setting.name()
                    + "="
                    + setting.example()
                    + "\n")
            .collect(Collectors.joining("\n"));

    assertThat(Files.readString(Path.of(".env.example"))).endsWith(example);
  }

  @Test
  void theDocumentationNamesEverySetting() throws IOException {
    String page = Files.readString(Path.of("docs/configuration.md"));

    assertThat(Catalogue.ALL)
        .allSatisfy(setting -> assertThat(page).contains("| `" + setting.name() + "` |"));
  }

  private DatabaseSettings.Location location(String url) {
    return read(Map.of("DATABASE_URL", url, "SECRET_KEY", KEY)).settings().database().location();
  }

  private static String origin(SettingsReader.Result read, String name) {
    return read.effective().stream()
        .filter(setting -> setting.name().equals(name))
        .findFirst()
        .orElseThrow()
        .origin();
  }

  private SettingsReader.Result read(Map<String, String> environment) {
    return SettingsReader.read(environment, folder, Secrets.secure());
  }
}
