// The fallback reader. Its wasm is one of our own built files; nothing is fetched from elsewhere.
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import address from "zxing-wasm/reader/zxing_reader.wasm";

export function detector() {
  prepareZXingModule({ overrides: { locateFile: () => address } });
  return new BarcodeDetector({ formats: ["qr_code"] });
}
