package org.authservice.testing;

import com.microsoft.playwright.Browser.NewPageOptions;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The machine's own Chromium: {@code CHROMIUM}, else where distributions put it. */
public final class Browser implements AutoCloseable {
  private static final List<String> USUAL =
      List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

  private final Playwright playwright = Playwright.create();
  private final com.microsoft.playwright.Browser browser;

  /** Starts it. */
  public Browser() {
    browser =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(executable())
                    .setArgs(
                        List.of(
                            "--no-sandbox",
                            "--disable-gpu",
                            "--disable-quic",
                            "--disable-background-networking")));
  }

  /** A new page. */
  public Page page() {
    return browser.newPage();
  }

  /** A new page of that kind. */
  public Page page(NewPageOptions options) {
    return browser.newPage(options);
  }

  @Override
  public void close() {
    playwright.close();
  }

  private static Path executable() {
    return Stream.concat(Optional.ofNullable(System.getenv("CHROMIUM")).stream(), USUAL.stream())
        .map(Path::of)
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("install chromium, or set CHROMIUM to it"));
  }
}
