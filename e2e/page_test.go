package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

var picture = flag.Bool("picture", false, "write docs/status-page.jpg, the picture of the README, anew")

// contrast lists the texts of a page whose contrast with what is behind them is under 4.5, as WCAG AA asks for.
const contrast = `(() => {
  const numbers = c => c.match(/[\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = numbers(c).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (numbers(c)[3] !== 0) return c } return 'rgb(255,255,255)' };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
  }
  return poor;
})()`

// The status page in a real browser, of the demo and of hostile data, light and dark, wide and narrow: nothing is run, nothing
// is asked of another origin, nothing is wider than the screen, and every text can be read. Screenshots are left in screenshots/.
func TestPage(t *testing.T) {
	t.Parallel()
	demo := "http://" + freeAddress(t)
	start(t, "cloudsso_exporter", "demo", "--web.listen-address="+strings.TrimPrefix(demo, "http://"))
	hostile := "http://" + hostileExporter(t)
	for _, url := range []string{demo, hostile} {
		eventually(t, 40*time.Second, answers(url+"/-/ready"))
	}
	if err := os.MkdirAll("screenshots", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
		if scheme == "dark" {
			options = append(options, chromedp.Flag("blink-settings", "preferredColorScheme=0"))
		}
		browser, cancel := chromedp.NewExecAllocator(t.Context(), options...)
		defer cancel()
		for name, url := range map[string]string{"demo": demo, "hostile": hostile} {
			for _, width := range []int64{400, 1400} {
				t.Run(fmt.Sprint(name, " ", scheme, " ", width), func(t *testing.T) {
					browse(t, browser, url, width, fmt.Sprintf("screenshots/%s-%s-%d.png", name, scheme, width))
				})
			}
		}
		if *picture && scheme == "light" {
			takePicture(t, browser, demo)
		}
	}
}

func browse(t *testing.T, browser context.Context, url string, width int64, file string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser)
	defer cancel()
	var mu sync.Mutex
	var said []string
	if err := chromedp.Listen(tab, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, fmt.Sprintf("console: %v", ev.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, "exception: "+ev.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(ev.Request.URL, url) && !strings.HasPrefix(ev.Request.URL, "data:") {
				said = append(said, "request to "+ev.Request.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 1000), chromedp.Navigate(url+"/")); err != nil {
		t.Fatal(err)
	}
	if shot, err := chromedp.Run(tab, chromedp.FullScreenshot(100)); err != nil {
		t.Error(err)
	} else if err := os.WriteFile(file, shot, 0o644); err != nil {
		t.Error(err)
	}
	if poor, err := chromedp.Run(tab, chromedp.Evaluate[[]string](contrast)); err != nil || len(poor) > 0 {
		t.Errorf("too little contrast: %q, %v", poor, err)
	}
	if wide, err := chromedp.Run(tab, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); err != nil || wide > width {
		t.Errorf("%d pixels wide on a screen of %d, %v", wide, width, err)
	}
	if ran, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelectorAll('script, img, iframe, object, [onload], [onerror]').length`)); err != nil || ran != 0 {
		t.Errorf("%d elements of the data became the page's, %v", ran, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(said) > 0 {
		t.Errorf("the browser says: %q", said)
	}
}

// hostileExporter runs an exporter on data that tries to break out of the page, and returns its address.
func hostileExporter(t *testing.T) string {
	api := simulator.New(simulator.Options{Keys: []simulator.Key{key}})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	for i, typ := range task.Types() {
		for _, status := range task.Statuses() {
			one := about(typ, status, `</pre><script>document.title='broken'</script>`+strings.Repeat(" very long", 100)+strings.Repeat("x", 300))
			one.ID, one.TargetID = fmt.Sprintf("t-<img src=x onerror=alert(%d)>-%s", i, status), fmt.Sprint(status)
			one.Start = time.Now().Add(-time.Hour)
			if status != task.InProgress {
				one.End = one.Start.Add(time.Minute)
			}
			api.Directory(directoryID).Put(one)
		}
	}
	address := freeAddress(t)
	config := write(t, filepath.Join(t.TempDir(), "config.yaml"), fmt.Sprintf(`
directories:
  - directory_id: %s
    name: '<script>alert("name")</script>'
    region: cn-shanghai
    endpoint: %q
    credential: {type: access_key, access_key_id: %s, access_key_secret: %s}
`, directoryID, server.URL, key.ID, key.Secret))
	start(t, "cloudsso_exporter", "--config.file="+config, "--web.listen-address="+address)
	return address
}

// takePicture writes the picture that the README shows.
func takePicture(t *testing.T, browser context.Context, url string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser)
	defer cancel()
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1200, 900), chromedp.Navigate(url+"/")); err != nil {
		t.Fatal(err)
	}
	shot, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	top := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	draw.Draw(top, top.Bounds(), whole, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, top, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 150_000 {
		t.Errorf("the picture has %d bytes, at most 150,000", out.Len())
	}
	if err := os.WriteFile("../docs/status-page.jpg", out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
