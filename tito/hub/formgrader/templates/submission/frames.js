document.querySelectorAll("iframe.student").forEach(function (frame) {
    var fit = function () {
        var page = frame.contentDocument;
        if (!page || !page.body) { return; }
        frame.style.height = page.documentElement.offsetHeight + "px";
        new ResizeObserver(function () {
            frame.style.height = page.documentElement.offsetHeight + "px";
        }).observe(page.documentElement);
    };
    frame.addEventListener("load", fit);
    fit();
});
