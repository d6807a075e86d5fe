window.MathJax = {Hub: {Startup: {signal: {Interest: function (hear) { hear("End"); }}}}};
