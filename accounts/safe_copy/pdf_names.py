"""PDF names: what draws a page and is kept, how streams are packed, and the known ones among what is left out."""

from typing import Final

from accounts.safe_copy import Part

PAGE: Final = frozenset({
    "/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group",
})  # fmt: skip
# Dictionaries whose keys are names that the page's author chose.
NAME_TABLES: Final = frozenset({
    "/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties", "/CharProcs", "/Colorants",
})  # fmt: skip
DRAWING: Final = frozenset("/" + name for name in (  # noqa: SIM905
    # streams
    "Length Filter DecodeParms Predictor Colors BitsPerComponent Columns EarlyChange K EndOfLine EncodedByteAlign Rows "
    "EndOfBlock BlackIs1 DamagedRowsBeforeError ColorTransform JBIG2Globals "
    # resources, forms and groups
    "Type Subtype FormType BBox Matrix Resources Font XObject ExtGState ColorSpace Pattern Shading Properties ProcSet "
    "Group S CS I "
    # pictures
    "Width Height ImageMask Mask SMask SMaskInData Decode Interpolate Intent Matte "
    # graphics states
    "LW LC LJ ML D RI OP op OPM BG BG2 UCR UCR2 TR TR2 HT FL SM SA BM CA ca AIS TK G BC "
    # colours, functions, patterns and shadings
    "N Alternate Range WhitePoint BlackPoint Gamma Colorants Process Components MixingHints Solidities PrintingOrder "
    "DotGain FunctionType Domain Size BitsPerSample Order Encode C0 C1 Functions Bounds PatternType PaintType "
    "TilingType XStep YStep ShadingType Background AntiAlias Coords Extend Function BitsPerCoordinate BitsPerFlag "
    "VerticesPerRow HalftoneType HalftoneName Frequency Angle SpotFunction AccurateScreens TransferFunction "
    # fonts
    "BaseFont Name Encoding BaseEncoding Differences ToUnicode FirstChar LastChar Widths FontDescriptor "
    "DescendantFonts CIDSystemInfo Registry Ordering Supplement DW W DW2 W2 CIDToGIDMap CMapName WMode UseCMap "
    "FontBBox FontMatrix CharProcs FontName FontFamily FontStretch FontWeight Flags ItalicAngle Ascent Descent Leading "
    "CapHeight XHeight StemV StemH AvgWidth MaxWidth MissingWidth FontFile FontFile2 FontFile3 CharSet CIDSet Style "
    "Lang FD Panose Length1 Length2 Length3"
).split())  # fmt: skip
UNPACKING: Final = frozenset({
    "/ASCIIHexDecode", "/ASCII85Decode", "/LZWDecode", "/FlateDecode", "/RunLengthDecode",
    "/AHx", "/A85", "/LZW", "/Fl", "/RL",
})  # fmt: skip
PICTURES: Final = frozenset({"/CCITTFaxDecode", "/JBIG2Decode", "/DCTDecode", "/JPXDecode", "/CCF", "/DCT"})
ACTIONS: Final = {
    "/JavaScript": Part.SCRIPTS,
    "/URI": Part.ACTIONS,
    "/Launch": Part.ACTIONS,
    "/GoToR": Part.ACTIONS,
    "/GoToE": Part.ATTACHMENTS,
    "/SubmitForm": Part.ACTIONS,
    "/ResetForm": Part.ACTIONS,
    "/ImportData": Part.ACTIONS,
    "/Hide": Part.ACTIONS,
    "/Rendition": Part.MEDIA,
    "/Movie": Part.MEDIA,
    "/Sound": Part.MEDIA,
    "/RichMediaExecute": Part.MEDIA,
    "/GoTo3DView": Part.MEDIA,
}
SUBTYPES: Final = {
    "/FileAttachment": Part.ATTACHMENTS,
    "/RichMedia": Part.MEDIA,
    "/Movie": Part.MEDIA,
    "/Sound": Part.MEDIA,
    "/Screen": Part.MEDIA,
    "/3D": Part.MEDIA,
}
KEYS: Final = {
    "/JS": Part.SCRIPTS,
    "/JavaScript": Part.SCRIPTS,
    "/EF": Part.ATTACHMENTS,
    "/EmbeddedFiles": Part.ATTACHMENTS,
    "/AcroForm": Part.FORM,
    "/XFA": Part.FORM,
}
# Annotations with content; the others mark what is on the page, or do something.
NOTES: Final = frozenset({"/FreeText", "/Stamp", "/Ink"})
