package org.authservice.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.authservice.testing.Browser;
import org.authservice.testing.Databases;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The pages in a real browser, under their own content security policies. */
@Tag("soak")
class BrowserTest {
  private TestService service;
  private Browser browser;
  private Page page;
  private final List<String> complaints = new ArrayList<>();

  @BeforeEach
  void open() {
    service = TestService.on(Databases.SQLITE);
    browser = new Browser();
    page = browser.page();
    page.onConsoleMessage(message -> {
      if (message.type().equals("error")) {
        complaints.add(message.text());
      }
    });
    page.onPageError(complaints::add);
  }

  @AfterEach
  void close() {
    browser.close();
    service.close();
  }

  @Test
  void swaggerUiShowsTheContract() {
    page.navigate(url("/docs"));
    page.waitForSelector(".opblock-summary-path");

    assertThat(page.locator(".opblock").count()).isGreaterThanOrEqualTo(15);
    assertThat(complaints).isEmpty();
  }

  @Test
  void redocShowsTheContract() {
    page.navigate(url("/redoc"));
    page.waitForSelector("h2:has-text('Open an account')");

    assertThat(complaints).isEmpty();
  }

  @Test
  void theErrorPageJumpsToACode() {
    page.navigate(url("/docs/errors#otp_invalid"));

    assertThat(page.locator("section:target code").innerText()).isEqualTo("otp_invalid");
    assertThat(complaints).isEmpty();
  }

  @Test
  void theDevelopmentMailboxShowsMails() throws IOException {
    service.register("ada@example.com");
    service.service().worker("mail").runOnce();
    String key = Files.readString(service.folder().resolve(".auth-dev-key")).strip();
    page.navigate(url("/dev/mail?key=" + key));

    assertThat(page.locator("article h2").innerText()).contains("is your verification code");
    page.locator("summary").click();
    assertThat(page.frameLocator("iframe").locator(".code").innerText()).matches("[0-9]{6}");
  }

  private String url(String path) {
    return "http://localhost:" + service.port() + path;
  }
}
